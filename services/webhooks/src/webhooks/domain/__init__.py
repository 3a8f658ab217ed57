"""Rules without a framework, a driver or a setting: what is signed, when it is sent, where it may go."""
