# unit tests of gateway/
