"""From a dump's lines or a database's rows to something that can be stored, whatever it holds."""
