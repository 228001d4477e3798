"""Step replay: recorded commands run again, recorded edits made again, each step compared.

What was recorded comes in as `facts`; `plan` puts it in order, `play` does it in boxes, `report`
says what came of it. How a trace is read is the face's business.
"""
