"""The heart: the life of a generation, from the accepted request to the stored picture or film."""
