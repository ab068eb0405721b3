"""What a prompt says, as numbers: `text` reads it for the models, `aligned` beside pictures in one space."""
