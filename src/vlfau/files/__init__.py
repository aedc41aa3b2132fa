"""Files that are whole or not at all, locked, and checked before a run resumes."""
