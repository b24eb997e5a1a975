"""rvh inside the engines that hold the keys: a column in, a column of nodes out.

Each module is optional, imports its engine itself, and says how to install one that is missing.

==============  ====================  =============================================