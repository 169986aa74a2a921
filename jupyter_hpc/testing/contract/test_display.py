"""What the cell shows appears here: value, displays, text, pictures, in order."""

from __future__ import annotations

import base64

from jupyter_hpc.testing.notebook import Notebook
from jupyter_hpc.views.screen import Screen


def test_the_last_expression_is_shown_as_out(notebook: Notebook) -> None:
    executed = notebook.remote("1 + 1")
    assert executed.result["text/plain"] == "2"


def test_a_trailing_semicolon_silences_the_value(notebook: Notebook) -> None:
    notebook.remote("1 + 1;")
    assert notebook.shown() == []


def test_a_value_of_none_shows_nothing(notebook: Notebook) -> None:
    executed = notebook.remote("None")
    assert executed.result is None
    assert notebook.shown() == []


def test_a_cell_without_a_last_expression_shows_no_job_as_its_value(notebook: Notebook) -> None:
    assert notebook.remote("x = 1").result is None


def test_a_string_is_shown_with_its_quotes_as_in_the_kernel(notebook: Notebook) -> None:
    assert notebook.remote("'a\\nb'").result["text/plain"] == repr("a\nb")


def test_a_long_list_is_laid_out_as_in_the_kernel(notebook: Notebook) -> None:
    expected = notebook.run("[list(range(30)) for _ in range(4)]").result["text/plain"]
    assert notebook.remote("[list(range(30)) for _ in range(4)]").result["text/plain"] == expected


def test_sets_and_nested_dicts_are_laid_out_as_in_the_kernel(notebook: Notebook) -> None:
    code = "{'b': {3, 1, 2}, 'a': {'x': (1,), 'y': None}}"
    assert notebook.remote(code).result == notebook.run(code).result


def test_a_class_is_laid_out_as_in_the_kernel(notebook: Notebook) -> None:
    code = "int, ValueError, len"
    assert notebook.remote(code).result == notebook.run(code).result


def test_an_array_is_shown_as_in_the_kernel(notebook: Notebook) -> None:
    notebook.run("import numpy as np")
    code = "np.arange(2000).reshape(20, 100) / 3"
    assert notebook.remote(code).result == notebook.run(code).result


def test_a_data_frame_is_shown_as_a_table_as_in_the_kernel(notebook: Notebook) -> None:
    notebook.run("import pandas as pd; df = pd.DataFrame({'a': [1, 2], 'b': ['x', '<y>']})")
    executed = notebook.remote("df")
    assert "<table" in executed.result["text/html"]
    assert executed.result == notebook.run("df").result


def test_display_shows_text_and_html(notebook: Notebook) -> None:
    notebook.run("from IPython.display import HTML")
    executed = notebook.remote("display(HTML('<b id=mine>bold</b>'))\ndisplay('plain')")
    assert "<b id=mine>bold</b>" in executed.data("text/html")
    assert [k for k, _ in notebook.shown()] == ["display", "display"]


def test_ipython_display_can_be_imported_in_the_cell(notebook: Notebook) -> None:
    executed = notebook.remote("from IPython.display import display, Markdown\ndisplay(Markdown('# head'))")
    assert "# head" in executed.data("text/markdown")


def test_get_ipython_is_there_in_the_cell(notebook: Notebook) -> None:
    notebook.remote("from IPython import get_ipython as g\nfound = g() is not None")
    assert notebook.value("found") is True


def test_a_repr_html_of_a_class_defined_here_is_used(notebook: Notebook) -> None:
    notebook.run("class R:\n    def _repr_html_(self): return '<i>mine</i>'")
    assert notebook.remote("R()").result["text/html"] == "<i>mine</i>"


def test_a_repr_mimebundle_is_used(notebook: Notebook) -> None:
    executed = notebook.remote(
        "class R:\n    def _repr_mimebundle_(self, include=None, exclude=None): return {'application/x-own+json': {'k': 1}}\nR()"
    )
    assert executed.result["application/x-own+json"] == {"k": 1}


def test_a_broken_repr_shows_its_traceback_and_the_cell_still_succeeds(notebook: Notebook) -> None:
    notebook.remote("class R:\n    def _repr_html_(self): raise ValueError('broken repr')\nR()")
    assert "broken repr" in notebook.value("_hpc.logs()")


def _is_png(text: str) -> bool:
    return base64.b64decode(text).startswith(b"\x89PNG")


def test_a_figure_left_open_is_shown_as_a_picture(notebook: Notebook) -> None:
    executed = notebook.remote("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert [_is_png(x) for x in executed.data("image/png")] == [True]


def test_a_figure_shown_by_show_comes_between_the_prints(notebook: Notebook) -> None:
    notebook.remote("import matplotlib.pyplot as plt\nprint('one')\nplt.plot([1]); plt.show()\nprint('two')")
    assert [kind for kind, _ in notebook.shown()] == ["stdout", "display", "stdout"]


def test_a_figure_as_the_value_is_shown_once_more_as_out(notebook: Notebook) -> None:
    executed = notebook.remote("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nplt.close(fig)\nfig")
    assert _is_png(executed.result["image/png"])


def test_a_figure_drawn_before_an_exception_is_shown(notebook: Notebook) -> None:
    executed = notebook.remote("import matplotlib.pyplot as plt\nplt.plot([1])\n1 / 0", fails=True)
    assert len(executed.data("image/png")) == 1


def test_prints_and_displays_stay_in_order(notebook: Notebook) -> None:
    notebook.remote("print('a')\ndisplay(1)\nprint('b')\ndisplay(2)\nprint('c')\n3")
    assert notebook.shown() == [
        ("stdout", "a\n"),
        ("display", "1"),
        ("stdout", "b\n"),
        ("display", "2"),
        ("stdout", "c\n"),
        ("value", "3"),
    ]


def test_stdout_and_stderr_stay_apart_and_in_order(notebook: Notebook) -> None:
    notebook.remote("import sys\nprint('a')\nprint('b', file=sys.stderr)\nprint('c')")
    assert notebook.shown() == [("stdout", "a\n"), ("stderr", "b\n"), ("stdout", "c\n")]


def test_ansi_colours_arrive(notebook: Notebook) -> None:
    notebook.remote("print('\\x1b[31mred\\x1b[0m')")
    assert notebook.shown() == [("stdout", "\x1b[31mred\x1b[0m\n")]


def test_carriage_returns_arrive_and_the_card_shows_the_last_state(notebook: Notebook) -> None:
    executed = notebook.remote("for i in range(3): print(f'\\rstep {i}', end='')")
    assert notebook.shown() == [("stdout", "\rstep 0\rstep 1\rstep 2")]
    assert "step 0" not in executed.data("text/html")[-1]
    assert "step 2" in executed.data("text/html")[-1]


def test_a_tqdm_bar_folds_to_its_end(notebook: Notebook) -> None:
    executed = notebook.remote("from tqdm import tqdm\nfor i in tqdm(range(50)): pass")
    card = executed.data("text/html")[-1]
    assert "50/50" in card
    assert " 0/50" not in card
    assert {kind for kind, _ in notebook.shown()} == {"stderr"}


def test_tqdm_auto_works(notebook: Notebook) -> None:
    notebook.remote("from tqdm.auto import tqdm\nx = sum(tqdm(range(10)))")
    assert notebook.value("x") == 45


def test_a_warning_goes_to_stderr_with_the_cells_line(notebook: Notebook) -> None:
    notebook.remote("import warnings\nwarnings.warn('careful')")
    (kind, text), *_ = notebook.shown()
    assert kind == "stderr"
    assert "UserWarning: careful" in text
    assert "warnings.warn('careful')" in text


def test_logging_goes_to_stderr(notebook: Notebook) -> None:
    notebook.remote("import logging\nlogging.warning('hm')")
    assert notebook.shown() == [("stderr", "WARNING:root:hm\n")]


def test_update_display_changes_the_display_with_its_id(notebook: Notebook) -> None:
    notebook.run("from IPython.display import update_display")
    executed = notebook.remote("display('first', display_id='spot')\nupdate_display('second', display_id='spot')")
    updates = [o for o in executed.outputs if o["type"] == "update_display_data"]
    assert [o["data"]["text/plain"] for o in updates if o["transient"].get("display_id") == "spot"] == ["'second'"]


def test_a_display_handle_can_be_updated(notebook: Notebook) -> None:
    notebook.remote("h = display(1, display_id=True)\nh.update(2)\ndel h")
    assert notebook.shown() == [("display", "1"), ("update_display", "2")]


def test_clear_output_reaches_the_front_end(notebook: Notebook) -> None:
    notebook.run("from IPython.display import clear_output")
    executed = notebook.remote("display(1)\nclear_output(wait=True)\ndisplay(2)")
    assert [o["wait"] for o in executed.outputs if o["type"] == "clear_output"] == [True]


def test_print_without_a_line_end_arrives(notebook: Notebook) -> None:
    notebook.remote("print('no', end='')\nprint(' end', end='')")
    assert notebook.shown() == [("stdout", "no end")]


def test_bytes_written_to_the_buffer_of_stdout_arrive_in_order(notebook: Notebook) -> None:
    notebook.remote("import sys\nprint('a')\nsys.stdout.buffer.write(b'b\\n');\nprint('c')")
    assert notebook.shown() == [("stdout", "a\nb\nc\n")]


def test_output_of_a_subprocess_arrives_in_order(notebook: Notebook) -> None:
    notebook.remote("import subprocess\nprint('a', flush=True)\nsubprocess.run(['echo', 'child'])\nprint('b');")
    assert notebook.value("_hpc.logs()") == "a\nchild\nb\n"


def test_text_of_other_scripts_arrives(notebook: Notebook) -> None:
    notebook.remote("print('grüße 变量 😀')")
    assert notebook.shown() == [("stdout", "grüße 变量 😀\n")]


def test_text_that_is_no_unicode_does_not_break_the_log(notebook: Notebook) -> None:
    notebook.remote("import sys\nprint('\\ud800')\nsys.stdout.buffer.write(b'\\xff\\n');\nprint('after')")
    assert notebook.value("_hpc.logs()").endswith("after\n")


def test_a_hundred_thousand_lines_arrive_complete(notebook: Notebook) -> None:
    notebook.remote("for i in range(100_000): print(i)")
    assert notebook.value("[len(_hpc.logs().splitlines()), _hpc.logs()[-6:]]") == [100_000, "99999\n"]


def test_pprint_and_help_write_to_stdout(notebook: Notebook) -> None:
    notebook.remote("from pprint import pprint\npprint({'a': 1})\nhelp(len)")
    assert notebook.value("_hpc.logs()").startswith("{'a': 1}\n")
    assert "Return the number of items" in notebook.value("_hpc.logs()")


def test_output_comes_while_the_cell_runs(notebook: Notebook) -> None:
    """The cell ends only when it sees the file that is written after its display arrived."""
    flag = notebook.folder / "go"
    request = notebook.begin(
        notebook.cell(
            f"import os, time\ndisplay('waiting')\nend = time.time() + 60\n"
            f"while not os.path.exists({str(flag)!r}) and time.time() < end: time.sleep(0.01)\nin_time = time.time() < end"
        )
    )
    notebook.wait_for(request, lambda m: m["content"].get("data", {}).get("text/plain") == "'waiting'")
    flag.touch()
    notebook.finish(request)
    assert notebook.value("in_time") is True


FIGURES = """
%matplotlib notebook
%config InlineBackend.figure_formats = ['retina', 'svg']
import IPython
import matplotlib.pyplot as plt
plt.ion()
figure, axes = plt.subplots()
axes.plot([1, 2])
plt.close(figure)
IPython.display.display(figure)
figure
"""
FORMS = """
from IPython import display as D
from IPython.core.interactiveshell import InteractiveShell
print('cleared')
D.clear_output(wait=True)
D.display(D.Markdown('*m*'), D.Latex('$x$'), D.JSON({'a': 1}), D.SVG('<svg xmlns="http://www.w3.org/2000/svg"/>'))
D.display_html('<i>raw</i>', raw=True)
display('one', display_id='spot', metadata={'text/plain': {'k': 1}}).update('two')
D.update_display('three', display_id='spot')
get_ipython().display_formatter.formatters['text/html'].for_type(complex, lambda _: '<b>complex</b>')
display(1j)
"""


def test_figures_are_pictures_where_ipython_is_imported_and_set(notebook: Notebook) -> None:
    executed = notebook.remote(FIGURES)
    assert [_is_png(x) for x in executed.data("image/png")] == [True, True]
    assert len(executed.data("image/svg+xml")) == 2
    assert notebook.value("['width' in o.metadata['image/png'] for o in _hpc.outputs()]") == [True, True]


def test_all_forms_of_ipythons_display_arrive(notebook: Notebook) -> None:
    executed = notebook.remote(FORMS)
    for mime in ("text/markdown", "text/latex", "application/json", "image/svg+xml"):
        assert executed.data(mime)
    assert [x for x in executed.data("text/html") if x[:2] in ("<i", "<b")] == [
        "<i>raw</i>",
        "<b>complex</b>",
    ]
    assert [text for kind, text in notebook.shown() if kind == "update_display"] == ["'two'", "'three'"]


WIDGETS = """
import ipywidgets, time
from tqdm.notebook import tqdm
bar = ipywidgets.IntProgress(max=4, description='steps')
display(bar)
bar.value = 4
for i in tqdm(range(3), desc='rounds'):
    for _ in tqdm(range(2), desc='inner', leave=False):
        pass
    print('round', i)
slider = ipywidgets.IntSlider(value=sent.value + chosen.index)
slider
"""


def test_widgets_show_progress_in_the_log_any_other_as_a_sentence_and_travel_as_values(
    notebook: Notebook,
) -> None:
    notebook.run("import ipywidgets\nsent = ipywidgets.IntSlider(value=7)")
    notebook.run("chosen = ipywidgets.Dropdown(options=['a', 'b'], value='b')\nchosen.observe(lambda change: None)")
    executed = notebook.remote(WIDGETS)
    lines = [line.strip() for line in folded(notebook.value("_hpc.logs()"))]
    assert [line for line in lines if line.startswith("round ")] == ["round 0", "round 1", "round 2"]
    assert any(line.startswith("steps 100% |█") and line.endswith("4/4") for line in lines)
    assert any(line.startswith("rounds: 100% |█") and "3/3 [00:0" in line for line in lines)
    assert not any("inner" in line for line in lines)
    assert "An IntSlider widget can't be used from a job" in executed.text
    assert "rounds: 100%" in executed.data("text/html")[-1]
    assert notebook.value("(slider.value, slider.comm is not None)") == (8, True)


def folded(text: str) -> list[str]:
    """Return lines as a terminal shows them."""
    screen = Screen()
    return [row.plain() for row in (*screen.add(text), *screen.rows())]


AREAS = """
import ipywidgets
from IPython.display import clear_output
display('before')
area = ipywidgets.Output()
display(ipywidgets.VBox([ipywidgets.HTML('<b>title</b>'), area]))
for i in range(3):
    with area:
        clear_output(wait=True)
        display(f'round {i}')
area.append_stdout('appended')
"""


def test_clearing_inside_an_output_widget_clears_what_is_in_it(notebook: Notebook) -> None:
    notebook.remote(AREAS)
    assert notebook.shown() == [
        ("display", "'before'"),
        ("display", "title"),
        ("display", "'round 0'"),
        ("update_display", "'round 1'"),
        ("update_display", "'round 2'"),
        ("stdout", "appended"),
    ]


def test_input_and_getpass_say_that_nobody_is_there(notebook: Notebook) -> None:
    notebook.run("from getpass import getpass")
    executed = notebook.remote("try:\n    getpass()\nexcept EOFError as e:\n    print(e)\ninput()", fails=True)
    assert executed.error.name == "EOFError" and executed.error.value.startswith("input() has nobody to ask")
    assert "getpass() has nobody to ask" in notebook.value("_hpc.logs()")
