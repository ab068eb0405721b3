"""Folders of models: which families there are, what a folder has, which one a machine takes, how they are trained."""
