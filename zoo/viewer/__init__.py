"""A page that shows recordings moving, with their scores and what these rest on."""
