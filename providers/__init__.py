"""The hands: all that knows a provider's wire. One file a company, models as data, no database."""
