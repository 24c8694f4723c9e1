"""`crossbridge init`: what a project needs to be recorded, written into it and taken out again."""
