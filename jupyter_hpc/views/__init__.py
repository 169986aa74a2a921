"""How a run looks, as HTML and text: data in, words out."""
