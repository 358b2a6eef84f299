"""Settings of Sphinx for the site: https://www.sphinx-doc.org/en/master/usage/configuration.html."""

import perfscale

project = "perfscale"
author = "The perfscale authors"
project_copyright = author
release = perfscale.__version__

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
# Headings get the anchors that forges give them, and links to others are warnings.
myst_heading_anchors = 4
nitpicky = True
# Two dashes are an option, and quotes are what a shell takes.
smartquotes = False

# System fonts and scripts of its own: a reader's browser asks nobody else.
html_theme = "furo"
html_title = f"perfscale {release}"
html_copy_source = False
html_show_sphinx = False
