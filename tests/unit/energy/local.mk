# unit tests of energy/
