# nothing to build here yet
