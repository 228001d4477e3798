"""Transcripts that agents leave behind, made into traces; one file here for each format."""
