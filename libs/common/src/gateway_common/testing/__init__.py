"""Things for trying and testing the gateway from outside."""
