
e
transaction.protoacme"B
Transaction
account (	
merchant (	
currency (	bproto3