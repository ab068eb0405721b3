"""What prompts mean: free text read by rules, and told again as the captions that the models were taught."""
