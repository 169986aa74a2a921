"""Why a job ended, what it used, and what would do."""
