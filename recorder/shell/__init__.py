"""The recorder's side of the shell shim: takes in what the shims tell, and makes spans of it."""
