"""What a run says about its own client: its requests, its clock, and whether it kept up."""
