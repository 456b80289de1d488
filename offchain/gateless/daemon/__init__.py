"""What programs that run for long share: executors and watchtowers."""
