"""How well a network recognises action units, and how true its words are."""
