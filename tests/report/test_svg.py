from markupsafe import Markup

from zoo.report.marks import FAMILIES, family_class, marker
from zoo.report.svg import picture, tag, text


def test_everything_is_escaped():
    made = tag("text", "<b>&", x=1.005, class_='a" onload="x', fill=None)
    assert made == '<text x="1" class="a&#34; onload=&#34;x">&lt;b&gt;&amp;</text>'
    assert tag("g", Markup("<b/>"), tag("i", "<")) == "<g><b/><i>&lt;</i></g>"


def test_a_picture_has_a_name():
    made = picture("p", 10, 20, "Title <", "What it shows", text(1, 2, "a", anchor="end"))
    assert 'role="img" aria-labelledby="p-title" aria-describedby="p-desc"' in made
    assert '<title id="p-title">Title &lt;</title><desc id="p-desc">What it shows</desc>' in made
    assert 'viewBox="0 0 10 20"' in made
    assert '<text x="1" y="2" text-anchor="end">a</text>' in made


def test_every_family_has_a_mark_of_its_own():
    marks = {marker(family, 0, 0) for family in FAMILIES}
    assert len(marks) == len(FAMILIES)
    assert family_class("<x>") == "family-other"
    assert marker("<x>", 0, 0) == marker("other", 0, 0)
