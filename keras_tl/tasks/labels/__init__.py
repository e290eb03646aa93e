"""Labels of any form: which task they make, and what each of them counts."""
