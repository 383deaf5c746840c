"""Tables of other people's training runs: cards of where they are, and what reads them."""
