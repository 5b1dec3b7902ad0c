"""Who may do what: roles, people, ways in, approvals, emergencies. All of it over a sealed store,
and all of it told to the log."""
