"""Shell commands run twice, with and without the shim, on every kind of stdio: is it the same?"""
