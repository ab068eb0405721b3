"""Training: what finds faces, what knows them again, and the video model that takes a person."""
