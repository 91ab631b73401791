# unit tests of station/
