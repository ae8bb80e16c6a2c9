<?xml version="1.0" encoding="UTF-8"?>
<tileset version="1.10" name="shore" tilewidth="16" tileheight="16" tilecount="16" columns="4">
 <image source="shore.png" width="64" height="64"/>
 <tile id="0">
  <properties>
   <property name="name" value="wang-0000"/>
  </properties>
 </tile>
 <tile id="1">
  <properties>
   <property name="name" value="wang-0001"/>
  </properties>
 </tile>
 <tile id="2">
  <properties>
   <property name="name" value="wang-0010"/>
  </properties>
 </tile>
 <tile id="3">
  <properties>
   <property name="name" value="wang-0011"/>
  </properties>
 </tile>
 <tile id="4">
  <properties>
   <property name="name" value="wang-0100"/>
  </properties>
 </tile>
 <tile id="5">
  <properties>
   <property name="name" value="wang-0101"/>
  </properties>
 </tile>
 <tile id="6">
  <properties>
   <property name="name" value="wang-0110"/>
  </properties>
 </tile>
 <tile id="7">
  <properties>
   <property name="name" value="wang-0111"/>
  </properties>
 </tile>
 <tile id="8">
  <properties>
   <property name="name" value="wang-1000"/>
  </properties>
 </tile>
 <tile id="9">
  <properties>
   <property name="name" value="wang-1001"/>
  </properties>
 </tile>
 <tile id="10">
  <properties>
   <property name="name" value="wang-1010"/>
  </properties>
 </tile>
 <tile id="11">
  <properties>
   <property name="name" value="wang-1011"/>
  </properties>
 </tile>
 <tile id="12">
  <properties>
   <property name="name" value="wang-1100"/>
  </properties>
 </tile>
 <tile id="13">
  <properties>
   <property name="name" value="wang-1101"/>
  </properties>
 </tile>
 <tile id="14">
  <properties>
   <property name="name" value="wang-1110"/>
  </properties>
 </tile>
 <tile id="15">
  <properties>
   <property name="name" value="wang-1111"/>
  </properties>
 </tile>
 <wangsets>
  <wangset name="shore" type="corner" tile="-1">
   <wangcolor name="lower" color="#3b5dc9" tile="0" probability="1"/>
   <wangcolor name="upper" color="#38b764" tile="15" probability="1"/>
   <wangtile tileid="0" wangid="0,1,0,1,0,1,0,1"/>
   <wangtile tileid="1" wangid="0,1,0,2,0,1,0,1"/>
   <wangtile tileid="2" wangid="0,1,0,1,0,2,0,1"/>
   <wangtile tileid="3" wangid="0,1,0,2,0,2,0,1"/>
   <wangtile tileid="4" wangid="0,2,0,1,0,1,0,1"/>
   <wangtile tileid="5" wangid="0,2,0,2,0,1,0,1"/>
   <wangtile tileid="6" wangid="0,2,0,1,0,2,0,1"/>
   <wangtile tileid="7" wangid="0,2,0,2,0,2,0,1"/>
   <wangtile tileid="8" wangid="0,1,0,1,0,1,0,2"/>
   <wangtile tileid="9" wangid="0,1,0,2,0,1,0,2"/>
   <wangtile tileid="10" wangid="0,1,0,1,0,2,0,2"/>
   <wangtile tileid="11" wangid="0,1,0,2,0,2,0,2"/>
   <wangtile tileid="12" wangid="0,2,0,1,0,1,0,2"/>
   <wangtile tileid="13" wangid="0,2,0,2,0,1,0,2"/>
   <wangtile tileid="14" wangid="0,2,0,1,0,2,0,2"/>
   <wangtile tileid="15" wangid="0,2,0,2,0,2,0,2"/>
  </wangset>
 </wangsets>
</tileset>
