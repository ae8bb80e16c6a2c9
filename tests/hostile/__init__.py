"""Everything that comes from outside, made by somebody who means harm."""
