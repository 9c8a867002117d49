/** The page's one script, for any browser of these years. Reads the page's own elements, writes no markup. Its hash is in the page's policy. */
export const SCRIPT = `
(function(){"use strict";
var root=document.documentElement,$=function(id){return document.getElementById(id)},all=function(q,e){return Array.prototype.slice.call((e||document).querySelectorAll(q))};
var items=all(".f"),levels=all(".lvl"),boxes=all("#filters input[type=checkbox]"),q=$("q"),state=$("t"),path=$("path"),words=[],current=-1,directory="",timer=0;
function textOf(i){return words[i]||(words[i]=items[i].textContent.toLowerCase())}
function chosen(key){return boxes.filter(function(b){return b.dataset.f===key&&b.checked}).map(function(b){return b.value})}
function apply(){
  var s=chosen("s"),p=chosen("p"),a=chosen("a"),t=state.value,terms=q.value.toLowerCase().split(/\\s+/).filter(Boolean),shown=0;
  items.forEach(function(item,i){
    var d=item.dataset,ok=(!s.length||s.indexOf(d.s)>=0)&&(!p.length||p.indexOf(d.p)>=0)&&(!a.length||a.indexOf(d.a)>=0)&&(!t||d.t===t)&&(!directory||d.d===directory);
    if(ok&&terms.length){var text=textOf(i);ok=terms.every(function(w){return text.indexOf(w)>=0})}
    if(item.hidden===ok)item.hidden=!ok;if(ok)shown++});
  levels.forEach(function(level){var n=all(".f:not([hidden])",level).length;level.hidden=!n;level.querySelector(".cnt").textContent=n.toLocaleString("en")});
  $("n").textContent=shown.toLocaleString("en")+" of "+items.length.toLocaleString("en");
  $("none").hidden=shown>0||!items.length;$("clear").hidden=!(s.length||p.length||a.length||terms.length||directory||t!=="open");
  path.hidden=!directory;path.textContent=directory}
function clear(){boxes.forEach(function(b){b.checked=false});q.value="";state.value="open";directory="";apply()}
function visibleItems(){return items.filter(function(i){return !i.hidden})}
function go(step){var list=visibleItems();if(!list.length)return;var at=list.indexOf(items[current]);at=Math.max(0,Math.min(list.length-1,at+step));
  if(current>=0)items[current].classList.remove("cur");current=items.indexOf(list[at]);var item=items[current];item.classList.add("cur");item.scrollIntoView({block:"nearest"});item.firstElementChild.focus({preventScroll:true})}
function theme(){var dark=root.dataset.theme?root.dataset.theme==="dark":matchMedia("(prefers-color-scheme: dark)").matches;root.dataset.theme=dark?"light":"dark"}
all("[data-set]").forEach(function(button){button.addEventListener("click",function(){
  var key=button.dataset.set,value=button.dataset.value;
  if(key==="d")directory=directory===value?"":value;
  else boxes.forEach(function(b){if(b.dataset.f===key)b.checked=b.value===value&&!b.checked});
  apply();$("filters").scrollIntoView({block:"start"})})});
boxes.forEach(function(b){b.addEventListener("change",apply)});state.addEventListener("change",apply);
q.addEventListener("input",function(){clearTimeout(timer);timer=setTimeout(apply,80)});
$("filters").addEventListener("submit",function(e){e.preventDefault();apply()});
$("clear").addEventListener("click",clear);path.addEventListener("click",function(){directory="";apply()});
$("theme").addEventListener("click",theme);$("help").addEventListener("click",function(){$("keys").showModal()});
var printed=[];
addEventListener("beforeprint",function(){printed=visibleItems().filter(function(i){return !i.open}).slice(0,1000);printed.forEach(function(i){i.open=true})});
addEventListener("afterprint",function(){printed.forEach(function(i){i.open=false});printed=[]});
document.addEventListener("keydown",function(e){
  if(e.ctrlKey||e.metaKey||e.altKey)return;var tag=e.target.tagName;
  if(e.key==="Escape"&&tag==="INPUT"){e.target.blur();return}
  if(tag==="INPUT"||tag==="SELECT"||$("keys").open)return;
  var open;
  switch(e.key){
    case "/":e.preventDefault();q.focus();q.select();break;
    case "j":go(1);break;case "k":go(-1);break;
    case "o":if(current>=0)items[current].open=!items[current].open;break;
    case "a":open=visibleItems();var closing=open.some(function(i){return i.open});open.slice(0,400).forEach(function(i){i.open=!closing});break;
    case "x":clear();break;case "t":theme();break;case "?":$("keys").showModal();break}});
apply()})();
`;
