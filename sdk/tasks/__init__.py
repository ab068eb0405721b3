"""A request becomes its result: what may be asked, and the work from there to clips, sounds and soundtracks."""
