"""Programs that know the packages; standard library only."""
