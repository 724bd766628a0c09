"""From finished runs to the leaderboard, as data."""
