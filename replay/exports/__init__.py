"""A verdict in the formats of others: in-toto, CTRF, JUnit XML. Pure: from structs to bytes."""
