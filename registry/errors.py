"""Errors a user can cause and mend: what every room raises, and what the ground does."""


class UserError(Exception):
    """An error the user can mend; the command line prints its message and exits with code 2."""


class RegistryError(UserError):
    """A name that cannot be resolved, is owned twice, or resolves to broken code."""


class ZooError(UserError):
    """Base of the zoo's own errors: the message says what is wrong and what to do."""


class ConfigError(ZooError):
    """A setting that does not exist or has an impossible value."""
