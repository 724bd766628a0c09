"""The one base class of errors a user can cause and mend."""


class UserError(Exception):
    """An error the user can mend; the command line prints its message and exits with code 2."""


class RegistryError(UserError):
    """A name that cannot be resolved, is owned twice, or resolves to broken code."""
