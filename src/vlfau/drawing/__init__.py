"""Results drawn: pictures, heat maps, timelines, annotated videos and pages."""
