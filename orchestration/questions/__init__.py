"""Questions asked outside of a run: persons, chains, means checks, what if, exports; a scratch warehouse."""
