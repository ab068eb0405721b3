"""What comes in: forms, uploads, fetched pictures, and whether they can be taken."""
