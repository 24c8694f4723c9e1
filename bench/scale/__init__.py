"""Ten million tests in a real PostgreSQL: how much they take, and how long the questions asked of them take."""
