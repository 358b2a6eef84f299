"""From text to closures: tokens, the tree, and what it is compiled to."""
