# unit tests of ocpp/
