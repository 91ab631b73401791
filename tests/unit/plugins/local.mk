# unit tests of plugins/
