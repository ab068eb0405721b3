"""What the models of sound are trained on: a Task a file, and the words and mixes that training hears."""
