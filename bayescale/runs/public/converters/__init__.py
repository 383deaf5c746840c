"""One file a table: from the files that its authors published to the columns of a runs table."""
