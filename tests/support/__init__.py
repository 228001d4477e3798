"""What the end-to-end tests share: a stage for agents, their traces, the agents themselves."""
