"""What is asked and how an answer is judged: queries in, outcomes out."""
