"""How values and events are shown. Nothing here decides or looks at the world."""
