module example.com/rvh

go 1.19
